# A real packer build that needs no virtual machine and no network: every step runs on this machine.
#
#   buildtel-host packer build packer/examples/null-local

variable "agent" {
  description = "Path of buildtel_agent.py, if this folder is not in a checkout of buildtel."
  type        = string
  default     = ""
}

locals {
  agent = var.agent != "" ? var.agent : "${path.root}/../../../guest/buildtel_agent.py"
  step  = "sh '${local.agent}' run --step"
}

source "null" "appliance" {
  communicator = "none"
}

build {
  sources = ["source.null.appliance"]

  provisioner "shell-local" {
    inline = ["${local.step} write-128-mib -- dd if=/dev/zero of=buildtel-demo.bin bs=1M count=128 conv=fsync"]
  }

  provisioner "shell-local" {
    inline = ["${local.step} compress -- sh -c 'head -c 48M /dev/urandom | gzip -9 >buildtel-demo.gz'"]
  }

  provisioner "shell-local" {
    inline = ["${local.step} wait-for-nothing -- sleep 3"]
  }

  provisioner "shell-local" {
    inline = ["${local.step} clean-up -- rm -f buildtel-demo.bin buildtel-demo.gz"]
  }
}
