# An upload after the last provisioner is in the image, and is not measured. After MemoryLeeksHackYeah/hackyeah.
# steps: 1 of 1
source "googlecompute" "vm" {
}
build {
  sources = ["source.googlecompute.vm"]
@first
  provisioner "shell" {
    execute_command = "${local.buildtel_pre}sudo -S env {{ .Vars }} {{ .Path }}${local.buildtel_post}"
    script          = "resources/install.sh"
  }
@last #< wrong: is not the last: provisioner "file" number 2 runs after it (main.pkr.hcl:19)
  provisioner "file" { #< note: level 1
    source      = "resources/temp.txt"
    destination = "/apps/temp.txt"
  }
}
