# A real packer build that needs no virtual machine and no network: every step runs on this machine.
#
#   packer build -timestamp-ui packer/examples/null-local | tee packer.log
#   buildtel-host collect packer.log

variable "agent" {
  description = "The agent that measures each step; found in a checkout without being told."
  type        = string
  default     = "../../../guest/buildtel_agent.py"
}

locals {
  agent = "sh '${path.root}/${var.agent}'"
}

source "null" "appliance" {
  communicator = "none"
}

build {
  sources = ["source.null.appliance"]

  provisioner "shell-local" {
    inline = ["${local.agent} run --step write-64-mib -- dd if=/dev/zero of=buildtel-demo.bin bs=1M count=64 conv=fsync"]
  }

  provisioner "shell-local" {
    inline = ["${local.agent} run --step compress -- sh -c 'head -c 16M /dev/urandom | gzip -9 >buildtel-demo.gz'"]
  }

  provisioner "shell-local" {
    inline = ["${local.agent} run --step wait-for-nothing -- sleep 3"]
  }

  provisioner "shell-local" {
    inline = ["${local.agent} run --step clean-up -- rm -f buildtel-demo.bin buildtel-demo.gz"]
  }
}
