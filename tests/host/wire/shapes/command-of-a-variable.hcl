# `${var.cmd}`: its default, a value that only the command line gives, and a file that Packer loads by itself.
# exit: 0
# steps: 3 of 3
variable "cmd" {
  default = "sudo sh '{{ .Path }}'"
}
variable "given" {
}
variable "set" {
  default = "no script in it"
}
source "qemu" "vm" {
}
build {
  sources = ["source.qemu.vm"]
@first
  provisioner "shell" {
    execute_command = "${local.buildtel_pre}${var.cmd}${local.buildtel_post}"
    inline          = ["true"]
  }
  provisioner "shell" {
    execute_command = "${local.buildtel_pre}${var.given}${local.buildtel_post}"
    inline          = ["true"]
  }
  provisioner "shell" {
    execute_command = "${local.buildtel_pre}${var.set}${local.buildtel_post}"
    inline          = ["true"]
  }
@last
}
#=== ci.auto.pkrvars.hcl
set = "sh {{ .Path }}"
