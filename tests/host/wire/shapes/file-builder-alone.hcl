# A build of its own for the file: nothing is missing in it.
# exit: 0
# steps: 0 of 0
source "file" "seed" { #< note: no guest
  content = "x"
  target  = "seed.cfg"
}
source "qemu" "debian" {
}
build {
  sources = ["source.file.seed"]
}
build {
  sources = ["source.qemu.debian"]
@first
@last
}
