# A shell provisioner that runs PowerShell, and one of Chef's.
# exit: 0
# steps: 0 of 0
source "amazon-ebs" "a" { #< note: Windows guest (execute_command of provisioner "shell" at main.pkr.hcl:11)
}
source "amazon-ebs" "b" { #< note: Windows guest (guest_os_type of provisioner "chef-client" at main.pkr.hcl:15)
}
build {
  sources = ["amazon-ebs.a", "amazon-ebs.b"]
  provisioner "shell" {
    execute_command = "powershell -ExecutionPolicy Bypass -File {{ .Path }}"
    only            = ["amazon-ebs.a"]
  }
  provisioner "chef-client" {
    guest_os_type = "windows"
    only          = ["amazon-ebs.b"]
  }
}
