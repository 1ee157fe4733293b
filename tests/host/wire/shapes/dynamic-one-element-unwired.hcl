# The same, where one element of two has a command without buildtel: it is named by its script.
# steps: 1 of 2
locals {
  steps = {
    a = { script = "a.sh", cmd = "sudo sh {{ .Path }}" }
    b = { script = "b.sh", cmd = "${local.buildtel_pre}sh {{ .Path }}${local.buildtel_post}" }
  }
}
source "qemu" "vm" {
}
build {
  sources = ["source.qemu.vm"]
@first
  dynamic "provisioner" { #< unmeasured: ("a.sh") is not measured as a step
    for_each = local.steps
    iterator = step
    labels   = ["shell"]
    content {
      script          = step.value.script
      execute_command = step.value["cmd"]
    }
  }
@last
}
