# Sources named inside of the build, shell for some, powershell for one. After nutanix-cloud-native/packer-plugin-nutanix.
# steps: 0 of 1
source "nutanix" "centos" {
}
source "nutanix" "ubuntu" {
}
source "nutanix" "windows" { #< note: source nutanix.windows has a Windows guest (os_type = "Windows"
  os_type = "Windows"
}
build { #< wrong: lacks buildtel's first #< wrong: lacks buildtel's last
  sources = ["source.nutanix.centos"]
  source "nutanix.ubuntu" {
    name = "ubuntu"
  }
  source "nutanix.windows" {
    name = "windows"
  }
  provisioner "shell" { #< unmeasured
    only   = ["nutanix.centos", "nutanix.ubuntu"]
    inline = ["true"]
  }
  provisioner "powershell" {
    only    = ["nutanix.windows"]
    scripts = ["scripts/win-update.ps1"]
  }
  provisioner "windows-restart" {
    only = ["nutanix.windows"]
  }
}
