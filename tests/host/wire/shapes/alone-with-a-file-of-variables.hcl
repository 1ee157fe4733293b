# One file, built with -var-file: the file beside it is no template of its own. After kr1ps/packer-proxmox.
# check: ubuntu.pkr.hcl
# exit: 0
# steps: 1 of 1
#=== ubuntu.pkr.hcl
@library
variable "token" {
}
source "proxmox-iso" "ubuntu" {
  os    = "l26"
  token = var.token
}
build {
  sources = ["source.proxmox-iso.ubuntu"]
@first
  provisioner "shell" {
    execute_command = local.buildtel_execute_command_sudo
    inline          = ["true"]
  }
@last
}
#=== credentials.pkr.hcl
token = "x"
