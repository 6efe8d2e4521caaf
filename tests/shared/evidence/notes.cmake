sallyport_unit_test(evidence_notes
  cosignature_test.cpp note_file_test.cpp
  LIBS sallyport_checkpoint)
