# `only` names the source as the build calls it.
# steps: 1 of 1
source "qemu" "base" {
}
build {
  source "qemu.base" {
    name = "small"
  }
  source "qemu.base" {
    name = "large"
  }
  provisioner "shell" { #< wrong: does not run for qemu.large
    only            = ["qemu.small", "qemu.base"]
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline          = ["true"]
  }
@last
}
