# The communicator is said inside of the build, under another name. After tedilabs/fastcampus-devops.
# exit: 0
# steps: 0 of 0
source "null" "base" { #< note: source null.local has no guest to measure (communicator = "none" at main.pkr.hcl:9)
}
build {
  source "source.null.base" {
    name         = "local"
    communicator = "none"
  }
  provisioner "shell-local" {
    inline = ["true"]
  }
}
