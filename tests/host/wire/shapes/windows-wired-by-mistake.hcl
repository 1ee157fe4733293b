# buildtel's provisioners can't run on Windows.
# steps: 0 of 0
source "amazon-ebs" "win" { #< note: Windows guest
  communicator = "winrm"
}
build {
  sources = ["source.amazon-ebs.win"]
@first #< wrong: can't run in this build (amazon-ebs.win: Windows, communicator = "winrm" at main.pkr.hcl:4). Delete it
  provisioner "powershell" {
    inline = ["dir"]
  }
@last #< wrong: can't run in this build
}
