# The piece in an override stands within the quotes of the command.
# steps: 0 of 1
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
@first
  provisioner "shell" {
    inline = ["true"]
    override = { #< wrong: for a (override) has an incorrect execute_command: buildtel_pre must come before the command, outside of any quotes
      a = { execute_command = "sudo sh -c '${local.buildtel_pre}{{ .Path }}'" }
    }
  }
@last
}
