# One command of the user's for all, between buildtel's pieces. After chef/bento.
# exit: 0
# steps: 2 of 2
locals {
  nix_execute_command = "echo 'vagrant' | {{ .Vars }} sudo -S -E sh -eux '{{ .Path }}'"
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
    execute_command = "${local.buildtel_pre}${local.nix_execute_command}${local.buildtel_post}"
    scripts         = ["b.sh"]
  }
@last
}
