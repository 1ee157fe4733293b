# Two firsts and two lasts, each for its own source: once for each guest.
# exit: 0
# steps: 0 of 0
source "qemu" "a" {
}
source "qemu" "b" {
}
build {
  sources = ["source.qemu.a", "source.qemu.b"]
  provisioner "shell" {
    only            = ["qemu.a"]
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
  provisioner "shell" {
    except          = ["qemu.a"]
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
@last
}
