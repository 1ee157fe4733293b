# The short form of variables, and values in a JSON file that Packer loads by itself.
# steps: 1 of 1
variables {
  cmd       = "sudo sh {{ .Path }}"
  os        = "l26"
  open_port = "22"
}
source "proxmox-iso" "a" {
  os = var.os
}
build {
  sources = ["proxmox-iso.a"]
@first
  provisioner "shell" {
    execute_command = "${local.buildtel_pre}${var.cmd}${local.buildtel_post}"
    inline          = ["true"]
  }
@last
}
#=== ci.auto.pkrvars.json
{
  "cmd": "sh {{ .Path }}",
  "buildtel_enabled": false #< wrong: turns buildtel off
}
