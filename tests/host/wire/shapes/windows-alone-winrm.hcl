# One file of several, with everything in it. After guruprasad1809/packer.
# check: win1py.pkr.hcl
# exit: 0
# steps: 0 of 0
#=== win1py.pkr.hcl
source "amazon-ebs" "win-py" { #< note: Windows guest (communicator = "winrm"
  communicator = "winrm"
  source_ami_filter {
    filters = { name = "Windows_Server-2022*" }
  }
}
build {
  sources = ["source.amazon-ebs.win-py"]
  provisioner "powershell" {
    inline = ["Write-Host x"]
  }
}
