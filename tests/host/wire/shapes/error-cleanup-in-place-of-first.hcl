# The one that runs only after a failure can't be the first.
# steps: 0 of 0
source "qemu" "a" {
}
build { #< wrong: lacks buildtel's first
  sources = ["source.qemu.a"]
  error-cleanup-provisioner "shell" { #< wrong: an error-cleanup-provisioner can't be buildtel's first
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
@last
}
