# A Docker image for Windows.
# exit: 0
# steps: 0 of 0
source "docker" "nano" { #< note: Windows guest (windows_container at main.pkr.hcl:6)
  image             = "mcr.example.org/nanoserver"
  windows_container = true
  commit            = true
}
build {
  sources = ["source.docker.nano"]
}
