# One block for a list of scripts, each with its command.
# exit: 0
# steps: 2 of 2
locals {
  sudo  = "${local.buildtel_pre}sudo sh {{ .Path }}${local.buildtel_post}"
  steps = [{ script = "a.sh", cmd = local.sudo }, { script = "b.sh", cmd = local.buildtel_execute_command }]
}
source "qemu" "vm" {
}
build {
  sources = ["source.qemu.vm"]
@first
  dynamic "provisioner" {
    for_each = local.steps
    labels   = ["shell"]
    content {
      script          = provisioner.value.script
      execute_command = provisioner.value.cmd
    }
  }
@last
}
