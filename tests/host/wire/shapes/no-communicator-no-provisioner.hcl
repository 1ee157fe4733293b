# Only keys are typed, nobody logs in. After cirruslabs/macos-image-templates.
# exit: 0
# steps: 0 of 0
source "tart-cli" "tart" { #< note: no guest to measure (communicator = "none"
  recovery     = true
  communicator = "none"
}
build {
  sources = ["source.tart-cli.tart"]
}
