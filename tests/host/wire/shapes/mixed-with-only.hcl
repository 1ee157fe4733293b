# The same with only and except: right.
# exit: 0
# steps: 1 of 1
source "qemu" "linux" {
}
source "qemu" "win" { #< note: Windows guest
  communicator = "winrm"
}
build {
  sources = ["source.qemu.linux", "source.qemu.win"]
  provisioner "shell" {
    only            = ["qemu.linux"]
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
  provisioner "shell" {
    only            = ["qemu.linux"]
    execute_command = local.buildtel_execute_command
    inline          = ["true"]
  }
  provisioner "powershell" {
    except = ["qemu.linux"]
    inline = ["dir"]
  }
  provisioner "shell" {
    except          = ["qemu.win"]
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
}
