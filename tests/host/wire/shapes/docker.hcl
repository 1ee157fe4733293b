# A container is a Linux guest as any other. After vgonzal/packer-pipelines.
# steps: 0 of 0
source "docker" "ubuntu" {
  image  = "ubuntu:xenial"
  commit = true
}
build { #< wrong: build "learn-packer" lacks buildtel's first #< wrong: build "learn-packer" lacks buildtel's last
  name    = "learn-packer"
  sources = ["source.docker.ubuntu"]
}
