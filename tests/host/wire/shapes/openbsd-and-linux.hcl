# An OpenBSD beside a Linux.
# steps: 0 of 0
source "vmware-iso" "o" { #< note: OpenBSD guest
  guest_os_type = "openbsd-64"
}
source "vmware-iso" "l" {
  guest_os_type = "other5xlinux-64"
}
build {
  sources = ["source.vmware-iso.o", "source.vmware-iso.l"]
@first #< wrong: Add only = ["vmware-iso.l"]
  provisioner "shell" {
    except          = ["vmware-iso.l"]
    execute_command = "doas sh {{.Path}}"
    inline          = ["true"]
  }
  provisioner "shell" {
    except          = ["vmware-iso.o"]
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
}
