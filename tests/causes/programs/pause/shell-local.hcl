provisioner "shell-local" {
  pause_before = "LENGTH_Ss"
  inline       = ["true"]
}
