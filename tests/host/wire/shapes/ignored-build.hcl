# A comment in a build takes it out, whatever is in it.
# exit: 0
# steps: 0 of 0
source "qemu" "a" {
}
build { #< note: build is not checked
  # buildtel: ignore (a network device with its own system)

  sources = ["source.qemu.a"]
  provisioner "shell" {
    inline = ["true"]
  }
}
