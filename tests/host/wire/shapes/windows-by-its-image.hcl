# The filter of a source image, and an ISO in an inner block, name Windows.
# exit: 0
# steps: 0 of 0
source "amazon-ebs" "a" { #< note: Windows guest (filters = "Windows_Server-2022-English-Full-Base-*" at main.pkr.hcl:6)
  source_ami_filter {
    filters = { name = "Windows_Server-2022-English-Full-Base-*" }
  }
}
source "proxmox-iso" "b" { #< note: Windows guest (iso_file = "local:iso/win11.iso"
  boot_iso {
    iso_file = "local:iso/win11.iso"
  }
}
build {
  sources = ["amazon-ebs.a", "proxmox-iso.b"]
  provisioner "shell" {
    inline = ["dir"]
  }
}
