# A variable whose default never runs the script, and one that Packer refuses.
# steps: 0 of 1
variable "cmd" {
  default = "sudo -n true"
}
variable "refused" {
  default = "${local.buildtel_pre}{{ .Path }}${local.buildtel_post}" #< wrong: Packer refuses local.buildtel_pre in the default of a variable
}
source "qemu" "vm" {
}
build {
  sources = ["source.qemu.vm"]
@first
  provisioner "shell" { #< wrong: never runs the script
    execute_command = "${local.buildtel_pre}${var.cmd}${local.buildtel_post}"
    inline          = ["true"]
  }
@last
}
