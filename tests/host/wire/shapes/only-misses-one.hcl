# `only` names one of two Linux guests: the other is not measured.
# steps: 1 of 1
source "qemu" "a" {
}
source "qemu" "b" {
}
build {
  sources = ["source.qemu.a", "source.qemu.b"]
  provisioner "shell" { #< wrong: does not run for qemu.b
    only            = ["qemu.a"]
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline          = ["true"]
  }
@last
}
