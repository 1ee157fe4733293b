# The kind of provisioner is an element's, too.
# steps: 0 of 1
locals {
  steps = [
    { kind = "file", source = "a" },
    { kind = "shell", source = "b" },
  ]
}
source "qemu" "vm" {
}
build {
  sources = ["source.qemu.vm"]
  dynamic "provisioner" {
    for_each = var.windows ? [] : local.buildtel_first
    labels   = ["shell"]
    content {
      script          = provisioner.value.script
      execute_command = provisioner.value.execute_command
    }
  }
  dynamic "provisioner" { #< note: provisioner "file" number 1 has no execute_command #< unmeasured: provisioner "shell" number 1
    for_each = local.steps
    labels   = [provisioner.value.kind]
    content {
      source = provisioner.value.source
    }
  }
@last
}
