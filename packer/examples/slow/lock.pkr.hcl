# Slow on purpose: an updater that began with the machine holds the lock that the installation needs.
#
#   buildtel-host packer build packer/examples/slow/lock.pkr.hcl
#   buildtel-host packer build -var advised=true packer/examples/slow/lock.pkr.hcl

variable "advised" {
  description = "Whether the build does what `buildtel-host diagnose` advises."
  type        = bool
  default     = false
}

locals {
  # As `systemctl stop unattended-upgrades`: it ends what it is at, which takes a moment.
  stop = "kill $(cat buildtel-demo.pid); sleep 1"
}

source "null" "image" {
  communicator = "none"
}

build {
  sources = ["source.null.image"]

  provisioner "shell-local" {
    inline = ["flock -o buildtel-demo.lock sleep 9 >/dev/null 2>&1 & echo $! >buildtel-demo.pid; sleep 0.5"]
  }

  provisioner "shell-local" {
    inline = ["${var.advised ? local.stop : "true"}", "buildtel-host run install -- flock buildtel-demo.lock sleep 2"]
  }

  provisioner "shell-local" {
    inline = ["rm -f buildtel-demo.lock buildtel-demo.pid"]
  }
}
