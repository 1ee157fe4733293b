# A file of a folder of many systems, with its odd name, checked alone. After osuosl/packer-templates.
# check: freebsd-14-ppc64le-openstack.json.pkr.hcl
# exit: 0
# steps: 0 of 0
#=== freebsd-14-ppc64le-openstack.json.pkr.hcl
variable "image_name" {
  default = "FreeBSD 14.1"
}
source "qemu" "freebsd-14" { #< note: source qemu.freebsd-14 has a FreeBSD guest
  iso_url = "https://mirror.example.org/FreeBSD-14.1-RELEASE-powerpc-powerpc64-disc1.iso"
}
build {
  sources = ["source.qemu.freebsd-14"]
  provisioner "shell" {
    execute_command = "echo 'freebsd' | {{.Vars}} su -m root -c 'sh -eux {{.Path}}'"
    scripts         = ["scripts/freebsd/update_freebsd.sh"]
  }
}
#=== debian.pkr.hcl
variable "image_name" {
}
