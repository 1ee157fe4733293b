provisioner "file" {
  source      = "many"
  destination = "/tmp"
}
