# `only` matches TYPE.NAME; `source.` before it matches nothing, and the provisioner never runs.
# steps: 0 of 0
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
  provisioner "shell" { #< wrong: does not run for qemu.a
    only            = ["source.qemu.a"]
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
@last
}
