# The command depends on a variable, whichever it is runs the script. After chef/bento.
# exit: 0
# steps: 2 of 2
variable "os_name" {
}
locals {
  nix_execute_command = var.os_name == "a" ? "su -m root -c 'sh -eux {{.Path}}'" : (
    var.os_name == "b" ? "sudo -S bash {{.Path}}" : "sudo -S -E sh -eux '{{ .Path }}'"
  )
  measured = "${local.buildtel_pre}${local.nix_execute_command}${local.buildtel_post}"
}
source "qemu" "vm" {
}
build {
  sources = ["source.qemu.vm"]
@first
  provisioner "shell" {
    execute_command = "${local.buildtel_pre}${local.nix_execute_command}${local.buildtel_post}"
    scripts         = ["a.sh"]
  }
  provisioner "shell" {
    execute_command = local.measured
    scripts         = ["b.sh"]
  }
@last
}
