# The filter names Ubuntu: a name like "windows-tools" does not make it Windows.
# exit: 0
# steps: 0 of 0
source "amazon-ebs" "windows-tools" {
  source_ami_filter {
    filters = { name = "ubuntu/images/*ubuntu-jammy-22.04-amd64-server-*" }
  }
}
build {
  sources = ["amazon-ebs.windows-tools"]
@first
@last
}
