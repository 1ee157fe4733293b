# Which sources only the command line says: any of them. After chef/bento.
# steps: 0 of 1
variable "sources_enabled" {
  type = list(string)
}
source "qemu" "vm" {
}
source "virtualbox-iso" "vm" {
}
build { #< wrong: first #< wrong: last
  sources = var.sources_enabled
  provisioner "shell" { #< unmeasured
    except = var.is_windows ? local.source_names : null
    script = "a.sh"
  }
  provisioner "powershell" { #< note: is for Windows guests
    except = var.is_windows ? null : local.source_names
    script = "a.ps1"
  }
}
