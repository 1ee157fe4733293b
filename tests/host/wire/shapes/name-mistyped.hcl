# A name of buildtel's that the library does not have.
# steps: 0 of 1
source "qemu" "a" {
}
build {
  sources = ["qemu.a"]
@first
  provisioner "shell" { #< wrong: local.buildtel_execute_comand alone is not a command
    execute_command = local.buildtel_execute_comand #< wrong: local.buildtel_execute_comand is not in buildtel.pkr.hcl
    inline          = ["true"]
  }
@last
}
