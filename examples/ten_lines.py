"""Gender and emotion of one recording: python examples/ten_lines.py CLIP.wav"""

import sys

from edge import Recognizer

prediction = Recognizer().predict(sys.argv[1])
print(f"{prediction.gender}: {prediction.gender_posterior:.1%}")
for emotion, probability in prediction.top_k(3):
    print(f"{emotion}: {probability:.1%}")
if prediction.uncertain:
    print("uncertain: no emotion stands out")
