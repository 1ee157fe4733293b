provisioner "shell" {
  pause_before = "LENGTH_Ss"
  inline       = ["true"]
}
