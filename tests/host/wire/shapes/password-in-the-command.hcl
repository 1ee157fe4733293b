# A variable in the command, that only the command line gives: wired and unwired. After Shayan-Ghani/machimetrics.
# steps: 1 of 2
variable "ssh_password" {
}
source "vsphere-iso" "linux-ubuntu-server" {
  guest_os_type = "ubuntu64Guest"
}
build {
  sources = ["source.vsphere-iso.linux-ubuntu-server"]
@first
  provisioner "shell" { #< unmeasured: it has its own execute_command
    execute_command = "echo '${var.ssh_password}' | {{.Vars}} sudo -S -E bash '{{.Path}}'"
    scripts         = var.shell_scripts
  }
  provisioner "shell" {
    execute_command = "${local.buildtel_pre}echo '${var.ssh_password}' | {{.Vars}} sudo -S -E bash '{{.Path}}'${local.buildtel_post}"
    scripts         = var.shell_scripts
  }
@last
}
