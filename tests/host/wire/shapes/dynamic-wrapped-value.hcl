# `${provisioner.value.cmd}` between the pieces, of a list that only the command line gives.
# exit: 0
# steps: 1 of 1
variable "steps" {
  type = list(object({ cmd = string }))
}
source "qemu" "vm" {
}
build {
  sources = ["source.qemu.vm"]
@first
  dynamic "provisioner" {
    for_each = var.steps
    labels   = ["shell"]
    content {
      inline          = ["true"]
      execute_command = "${local.buildtel_pre}${provisioner.value.cmd}${local.buildtel_post}"
    }
  }
@last
}
