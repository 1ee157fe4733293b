# A comment above a build is about that build alone.
# steps: 0 of 1
source "qemu" "a" {
}
# buildtel: ignore
build { #< note: build "appliance" is not checked
  name    = "appliance"
  sources = ["source.qemu.a"]
  provisioner "shell" {
    inline = ["true"]
  }
}
build { #< wrong: first #< wrong: last
  sources = ["source.qemu.a"]
  provisioner "shell" { #< unmeasured
    inline = ["true"]
  }
}
