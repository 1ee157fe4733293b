# The same with WinRM, one powershell provisioner. After devrajkanti/Packer.
# exit: 0
# steps: 0 of 0
data "amazon-ami" "windows_2019r2" {
  filters = { name = "*Windows_Server-2019-English-Full-Base-*" }
}
source "amazon-ebs" "windows-2019r2" { #< note: Windows guest (communicator = "winrm"
  communicator = "winrm"
  source_ami   = "${data.amazon-ami.windows_2019r2.id}"
}
build {
  sources = ["source.amazon-ebs.windows-2019r2"]
  provisioner "powershell" {
    inline = ["InitializeInstance.ps1 -Schedule"]
  }
}
