# Slow on purpose: files are compressed one after the other, on one CPU.
#
#   buildtel-host packer build packer/examples/slow/compress.pkr.hcl
#   buildtel-host packer build -var advised=true packer/examples/slow/compress.pkr.hcl

variable "advised" {
  description = "Whether the build does what `buildtel-host diagnose` advises."
  type        = bool
  default     = false
}

locals {
  at_once = var.advised ? "$(nproc)" : "1"
}

source "null" "image" {
  communicator = "none"
}

build {
  sources = ["source.null.image"]

  provisioner "shell-local" {
    inline = ["buildtel-host run make-data -- sh -c 'for n in 1 2 3 4 5 6 7; do head -c 10000000 /dev/urandom >buildtel-demo.$n; done'"]
  }

  provisioner "shell-local" {
    inline = ["buildtel-host run compress -- sh -c 'ls buildtel-demo.? | xargs -n 1 -P ${local.at_once} xz -2 -T1 -f'"]
  }

  provisioner "shell-local" {
    inline = ["rm -f buildtel-demo.?.xz"]
  }
}
