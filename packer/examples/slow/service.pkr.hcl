# Slow on purpose: a fixed sleep waits for a service that is up long before.
#
#   buildtel-host packer build packer/examples/slow/service.pkr.hcl
#   buildtel-host packer build -var advised=true packer/examples/slow/service.pkr.hcl

variable "advised" {
  description = "Whether the build does what `buildtel-host diagnose` advises."
  type        = bool
  default     = false
}

locals {
  fixed = "sleep 9"
  until = "until [ -e buildtel-demo.up ]; do sleep 0.2; done"
}

source "null" "image" {
  communicator = "none"
}

build {
  sources = ["source.null.image"]

  provisioner "shell-local" {
    inline = ["(sleep 3; touch buildtel-demo.up) >/dev/null 2>&1 &"]
  }

  provisioner "shell-local" {
    inline = ["buildtel-host run wait-for-service -- sh -c '${var.advised ? local.until : local.fixed}'"]
  }

  provisioner "shell-local" {
    inline = ["test -e buildtel-demo.up && rm buildtel-demo.up"]
  }
}
