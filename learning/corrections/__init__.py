"""What an edit corrects: cut out of two texts, and told apart from what merely went on."""
