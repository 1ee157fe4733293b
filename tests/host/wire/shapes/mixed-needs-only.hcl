# Linux and Windows in one build, buildtel's provisioners for both.
# steps: 1 of 1
source "qemu" "linux" {
}
source "qemu" "win" { #< note: Windows guest
  communicator = "winrm"
}
build {
  sources = ["source.qemu.linux", "source.qemu.win"]
@first #< wrong: Add only = ["qemu.linux"]
  provisioner "shell" {
    only            = ["qemu.linux"]
    execute_command = local.buildtel_execute_command
    inline          = ["true"]
  }
  provisioner "powershell" {
    only   = ["qemu.win"]
    inline = ["dir"]
  }
@last #< wrong: Add only = ["qemu.linux"]
}
