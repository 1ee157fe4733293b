# Neither side of the condition has a guest: nothing is missing.
# exit: 0
# steps: 0 of 0
variable "dry" {
  default = false
}
source "null" "a" { #< note: has no guest to measure (communicator = "none"
  communicator = "none"
}
source "file" "b" { #< note: has no guest to measure (a "file" source starts no machine)
  content = "x"
  target  = "x"
}
build {
  sources = var.dry ? ["source.null.a"] : ["source.file.b"]
  provisioner "shell-local" {
    inline = ["true"]
  }
}
