# Tart with a Linux guest: wired as any other. After cirruslabs/linux-image-templates.
# exit: 0
# steps: 1 of 1
source "tart-cli" "tart" {
  run_extra_args = ["--disk", "cloud-init.iso"]
  ssh_username   = "admin"
}
build {
  sources = ["source.tart-cli.tart"]
@first
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline          = ["uname -a"]
  }
@last
}
