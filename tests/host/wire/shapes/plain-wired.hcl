# Sudo in the command, an inline script, all wired. After tenminutevpn/tenminutevpn.
# exit: 0
# steps: 1 of 1
source "qemu" "image" {
}
build {
  sources = ["source.qemu.image"]
@first
  provisioner "shell" {
    execute_command = "${local.buildtel_pre}{{ .Vars }} sudo -E bash '{{ .Path }}'${local.buildtel_post}"
    inline          = ["sudo apt update", "sudo apt install python3"]
  }
@last
}
