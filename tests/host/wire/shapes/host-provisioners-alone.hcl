# A guest, but all provisioners run on the host. After openstack-continuous-integration/image_build.
# steps: 0 of 0
source "openstack" "image-build" {
}
build { #< wrong: build "packer" lacks buildtel's first #< wrong: build "packer" lacks buildtel's last
  name    = "packer"
  sources = ["source.openstack.image-build"]
  provisioner "shell-local" { #< note: ("scripts/ssh_add.bash") runs on the host
    environment_vars = ["KEY=${build.SSHPrivateKey}"]
    script           = "scripts/ssh_add.bash"
  }
  provisioner "shell-local" { #< note: number 2
    script = "scripts/exec.bash"
  }
}
