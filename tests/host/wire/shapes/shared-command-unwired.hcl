# A shared command that buildtel is not in: named, with the line to write. After SecondNature-com/devops-challenge.
# steps: 0 of 1
locals {
  exec = "sudo -S -E sh -eux '{{ .Path }}'"
}
source "proxmox-iso" "template" {
  os = "l26"
}
build {
  sources = ["source.proxmox-iso.template"]
@first
  provisioner "shell" { #< unmeasured: Write "${local.buildtel_pre}${local.exec}"
    execute_command = local.exec
    scripts         = ["a.sh"]
  }
@last
}
