# A source and a provisioner can be taken out, too.
# exit: 0
# steps: 1 of 1
// buildtel: ignore, it has no /proc
source "qemu" "odd" { #< note: source qemu.odd is not checked
}
source "qemu" "a" {
}
build {
  sources = ["source.qemu.odd", "source.qemu.a"]
  provisioner "shell" {
    only            = ["qemu.a"]
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
  # buildtel: ignore
  provisioner "shell" {
    inline = ["reboot"]
  }
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline          = ["true"]
  }
@last
}
