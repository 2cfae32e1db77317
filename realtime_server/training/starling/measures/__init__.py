"""What is measured of Starling, by voices, speakers and wordings that nothing was trained on."""
