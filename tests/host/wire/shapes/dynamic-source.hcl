# One source for each element. After nova-2nd/ArchBridge.
# steps: 0 of 1
variable "build_slug" {
  default = ["arch", "deb"]
}
source "hyperv-iso" "bridge" {
}
build { #< wrong: first #< wrong: last
  dynamic "source" {
    labels   = ["source.hyperv-iso.bridge"]
    for_each = var.build_slug
    content {
      name    = source.value
      vm_name = source.value
    }
  }
  provisioner "shell" { #< unmeasured
    script = "phase3.sh"
  }
  provisioner "ansible-local" { #< note: level 1
    playbook_file = "playbook.yml"
  }
}
