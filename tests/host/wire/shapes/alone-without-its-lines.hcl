# Wired for the folder, but built alone: Packer would not know buildtel's names.
# check: debian.pkr.hcl
# steps: 0 of 0
#=== debian.pkr.hcl
source "qemu" "debian" {
}
build {
  sources = ["source.qemu.debian"]
  provisioner "shell" {
    script          = local.buildtel_agent #< wrong: Paste the lines that `buildtel-host wire
    execute_command = local.buildtel_install_command
  }
@last
}
