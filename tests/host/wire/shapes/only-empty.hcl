# Packer takes an empty `only` for none.
# exit: 0
# steps: 1 of 1
source "qemu" "a" {
}
build {
  sources = ["qemu.a"]
@first
  provisioner "shell" {
    only            = []
    execute_command = local.buildtel_execute_command
    inline          = ["true"]
  }
@last
}
